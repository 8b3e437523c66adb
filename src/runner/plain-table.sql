-- Whether reading the table `c` (pg_class) runs only PostgreSQL's own code. A role that may create objects could otherwise add a
-- view, a policy, a type with a cast to JSON, or an index on an expression.
c.relkind = 'r' AND NOT c.relhasrules AND NOT c.relrowsecurity
AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = c.oid AND atttypid >= 16384)
AND NOT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext WHERE stxrelid = c.oid)
AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_index WHERE indrelid = c.oid AND (indexprs IS NOT NULL OR indpred IS NOT NULL))
