-- The schema of a database as one JSON document: one row, one column. Run it with the search path `pg_catalog, pg_temp`, so that
-- definitions name the schema of everything else, and with `jit = off`, because compiling it takes longer than running it. Names are
-- keys, in byte order; what has its default value is omitted. Omitted are also the owners of objects and their own privileges, what
-- an extension owns or a partition gets from its table, and the schema pulumi_alembic. For PostgreSQL 13 and later.
WITH
space AS MATERIALIZED (
  SELECT oid, nspname, nspowner, nspacl,
    CASE WHEN nspname ~ '[."]' THEN quote_ident(nspname) ELSE nspname::text END || '.' AS prefix
  FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'pulumi_alembic')
),
owned AS MATERIALIZED (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
),
remark AS MATERIALIZED (
  SELECT classoid, objoid, objsubid, description FROM pg_description WHERE objoid >= 16384 OR classoid = 'pg_namespace'::regclass
),
-- Access privileges of each kind of object, with those that it has by default.
acl AS MATERIALIZED (
  SELECT 'pg_namespace'::regclass AS classid, oid AS objid, 0 AS part, nspowner AS owner, nspacl AS acl, 'n'::"char" AS kind
  FROM space
  UNION ALL SELECT 'pg_class'::regclass, c.oid, 0, relowner, relacl, (CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char"
  FROM pg_class c JOIN space ON relnamespace = space.oid WHERE relacl IS NOT NULL
  UNION ALL SELECT 'pg_class'::regclass, c.oid, attnum, relowner, attacl, 'c'::"char"
  FROM pg_attribute JOIN pg_class c ON attrelid = c.oid JOIN space ON relnamespace = space.oid WHERE attacl IS NOT NULL
  UNION ALL SELECT 'pg_proc'::regclass, p.oid, 0, proowner, proacl, 'f'::"char"
  FROM pg_proc p JOIN space ON pronamespace = space.oid WHERE proacl IS NOT NULL
  UNION ALL SELECT 'pg_type'::regclass, t.oid, 0, typowner, typacl, 'T'::"char"
  FROM pg_type t JOIN space ON typnamespace = space.oid WHERE typacl IS NOT NULL
),
actual AS (
  SELECT classid, objid, part, grantee, array_agg(
    CASE WHEN is_grantable THEN privilege_type || ' WITH GRANT OPTION' ELSE privilege_type END ORDER BY privilege_type COLLATE "C"
  ) AS privileges
  FROM acl CROSS JOIN LATERAL aclexplode(acl.acl) WHERE grantee <> owner GROUP BY classid, objid, part, grantee
),
initial AS (
  SELECT classid, objid, part, grantee, array_agg(privilege_type ORDER BY privilege_type COLLATE "C") AS privileges
  FROM acl LEFT JOIN pg_init_privs i ON kind = 'n' AND i.classoid = classid AND i.objoid = objid AND i.privtype = 'i'
  CROSS JOIN LATERAL aclexplode(coalesce(i.initprivs, acldefault(kind, owner)))
  WHERE grantee <> owner GROUP BY classid, objid, part, grantee
),
grants AS MATERIALIZED (
  SELECT classid, objid, part, json_object_agg(
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END, coalesce(actual.privileges, '{}')
    ORDER BY CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END COLLATE "C"
  ) AS value
  FROM actual FULL JOIN initial USING (classid, objid, part, grantee)
  WHERE actual.privileges IS DISTINCT FROM initial.privileges GROUP BY classid, objid, part
),
relation AS MATERIALIZED (
  SELECT c.*, space.prefix || CASE WHEN relname ~ '[."]' THEN quote_ident(relname) ELSE relname::text END AS name
  FROM pg_class c JOIN space ON relnamespace = space.oid
  WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')
    AND NOT EXISTS (SELECT FROM owned WHERE classid = 'pg_class'::regclass AND objid = c.oid)
),
col AS (
  SELECT attrelid, json_object_agg(attname, json_strip_nulls(json_build_object(
    'type', format_type(atttypid, atttypmod),
    'notNull', nullif(attnotnull, false),
    'default', CASE attgenerated WHEN '' THEN pg_get_expr(adbin, adrelid) END,
    'identity', CASE attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
    'generated', CASE attgenerated WHEN '' THEN NULL
      ELSE pg_get_expr(adbin, adrelid) || CASE attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END END,
    'collation', (SELECT quote_ident(nspname) || '.' || quote_ident(collname) FROM pg_collation o
      JOIN pg_namespace n ON n.oid = collnamespace WHERE o.oid = attcollation AND attcollation <> typcollation),
    'grants', grants.value,
    'comment', description
  )) ORDER BY attname) AS value
  FROM relation JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
  JOIN pg_type ON pg_type.oid = atttypid
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  LEFT JOIN grants ON classid = 'pg_class'::regclass AND grants.objid = attrelid AND part = attnum
  LEFT JOIN remark ON classoid = 'pg_class'::regclass AND objoid = attrelid AND objsubid = attnum
  WHERE relkind <> 'S'
  GROUP BY attrelid
),
-- A constraint of NOT NULL is a property of its column, unless it is not valid.
con AS (
  SELECT CASE contypid WHEN 0 THEN conrelid ELSE contypid END AS owner,
    json_object_agg(conname, json_strip_nulls(json_build_object(
      'type', CASE contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key'
        WHEN 'u' THEN 'unique' WHEN 'x' THEN 'exclusion' WHEN 'n' THEN 'not null' ELSE 'trigger' END,
      'definition', pg_get_constraintdef(o.oid),
      'columns', (SELECT json_agg(attname ORDER BY place) FROM unnest(conkey) WITH ORDINALITY k (attnum, place)
        JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.attnum),
      'references', (SELECT name FROM relation WHERE relation.oid = confrelid),
      'notValid', CASE WHEN NOT convalidated THEN true END,
      'deferrable', nullif(condeferrable, false),
      'comment', description
    )) ORDER BY conname) AS value
  FROM pg_constraint o JOIN space ON connamespace = space.oid
  LEFT JOIN remark ON classoid = 'pg_constraint'::regclass AND objoid = o.oid
  WHERE conparentid = 0 AND (conislocal OR contype = 'f') AND contype <> 't' AND (contype <> 'n' OR NOT convalidated)
  GROUP BY owner
),
-- An index of a constraint is part of the constraint.
idx AS (
  SELECT indrelid, json_object_agg(c.relname, json_strip_nulls(json_build_object(
    'definition', pg_get_indexdef(indexrelid),
    'columns', (SELECT json_agg(attname ORDER BY place) FROM unnest(indkey) WITH ORDINALITY k (attnum, place)
      LEFT JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = k.attnum AND k.attnum <> 0),
    'unique', nullif(indisunique, false),
    'invalid', CASE WHEN NOT indisvalid THEN true END,
    'comment', description
  )) ORDER BY c.relname) AS value
  FROM pg_index JOIN relation ON indrelid = relation.oid JOIN pg_class c ON indexrelid = c.oid
  LEFT JOIN remark ON classoid = 'pg_class'::regclass AND objoid = indexrelid AND objsubid = 0
  WHERE NOT c.relispartition AND NOT EXISTS (
    SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid AND contype IN ('p', 'u', 'x'))
  GROUP BY indrelid
),
trg AS (
  SELECT tgrelid, json_object_agg(tgname, json_strip_nulls(json_build_object(
    'definition', pg_get_triggerdef(t.oid),
    'enabled', CASE tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END,
    'comment', description
  )) ORDER BY tgname) AS value
  FROM pg_trigger t JOIN relation ON tgrelid = relation.oid
  LEFT JOIN remark ON classoid = 'pg_trigger'::regclass AND objoid = t.oid
  WHERE NOT tgisinternal AND tgparentid = 0
    AND NOT EXISTS (SELECT FROM owned WHERE classid = 'pg_trigger'::regclass AND objid = t.oid)
  GROUP BY tgrelid
),
pol AS (
  SELECT polrelid, json_object_agg(polname, json_strip_nulls(json_build_object(
    'command', CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
      ELSE 'ALL' END,
    'roles', (SELECT json_agg(role ORDER BY role) FROM (
      SELECT CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r)::text END COLLATE "C" AS role FROM unnest(polroles) r) s),
    'restrictive', CASE WHEN NOT polpermissive THEN true END,
    'using', pg_get_expr(polqual, polrelid),
    'check', pg_get_expr(polwithcheck, polrelid),
    'comment', description
  )) ORDER BY polname) AS value
  FROM pg_policy p JOIN relation ON polrelid = relation.oid
  LEFT JOIN remark ON classoid = 'pg_policy'::regclass AND objoid = p.oid
  GROUP BY polrelid
),
rul AS (
  SELECT ev_class, json_object_agg(rulename, json_strip_nulls(json_build_object(
    'definition', pg_get_ruledef(r.oid), 'comment', description
  )) ORDER BY rulename) AS value
  FROM pg_rewrite r JOIN relation ON ev_class = relation.oid
  LEFT JOIN remark ON classoid = 'pg_rewrite'::regclass AND objoid = r.oid
  WHERE rulename <> '_RETURN'
  GROUP BY ev_class
),
stx AS (
  SELECT stxrelid, json_object_agg(stxname, json_strip_nulls(json_build_object(
    'definition', pg_get_statisticsobjdef(s.oid), 'comment', description
  )) ORDER BY stxname) AS value
  FROM pg_statistic_ext s JOIN relation ON stxrelid = relation.oid
  LEFT JOIN remark ON classoid = 'pg_statistic_ext'::regclass AND objoid = s.oid
  GROUP BY stxrelid
),
parents AS (
  SELECT inhrelid, json_agg(name ORDER BY inhseqno) AS value
  FROM pg_inherits JOIN relation ON inhparent = relation.oid GROUP BY inhrelid
),
described AS (
  SELECT relation.*, col.value AS columns, grants.value AS grants, description
  FROM relation
  LEFT JOIN col ON col.attrelid = relation.oid
  LEFT JOIN grants ON grants.classid = 'pg_class'::regclass AND grants.objid = relation.oid AND part = 0
  LEFT JOIN remark ON classoid = 'pg_class'::regclass AND objoid = relation.oid AND objsubid = 0
),
tables AS (
  SELECT json_object_agg(name, json_strip_nulls(json_build_object(
    'kind', CASE relkind WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' ELSE 'table' END,
    'unlogged', CASE relpersistence WHEN 'u' THEN true END,
    'partitionKey', CASE relkind WHEN 'p' THEN pg_get_partkeydef(t.oid) END,
    'partition', CASE WHEN relispartition THEN pg_get_expr(relpartbound, t.oid) END,
    'inherits', parents.value,
    'server', CASE relkind WHEN 'f' THEN (
      SELECT srvname FROM pg_foreign_table JOIN pg_foreign_server s ON s.oid = ftserver WHERE ftrelid = t.oid) END,
    'options', array_to_json(reloptions),
    'replicaIdentity', CASE relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing' WHEN 'i' THEN 'index' END,
    'rowSecurity', CASE WHEN relforcerowsecurity AND relrowsecurity THEN 'forced' WHEN relrowsecurity THEN 'enabled' END,
    'columns', columns,
    'constraints', con.value,
    'indexes', idx.value,
    'triggers', trg.value,
    'policies', pol.value,
    'rules', rul.value,
    'statistics', stx.value,
    'grants', grants,
    'comment', description
  )) ORDER BY name COLLATE "C") AS value
  FROM described t
  LEFT JOIN parents ON inhrelid = t.oid LEFT JOIN con ON con.owner = t.oid LEFT JOIN idx ON indrelid = t.oid
  LEFT JOIN trg ON tgrelid = t.oid LEFT JOIN pol ON polrelid = t.oid LEFT JOIN rul ON ev_class = t.oid
  LEFT JOIN stx ON stxrelid = t.oid
  WHERE relkind IN ('r', 'p', 'f')
),
views AS (
  SELECT json_object_agg(name, json_strip_nulls(json_build_object(
    'kind', CASE relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END,
    'definition', pg_get_viewdef(v.oid),
    'unpopulated', CASE WHEN relkind = 'm' AND NOT relispopulated THEN true END,
    'options', array_to_json(reloptions),
    'columns', columns,
    'indexes', idx.value,
    'triggers', trg.value,
    'rules', rul.value,
    'statistics', stx.value,
    'grants', grants,
    'comment', description
  )) ORDER BY name COLLATE "C") AS value
  FROM described v LEFT JOIN idx ON indrelid = v.oid LEFT JOIN trg ON tgrelid = v.oid LEFT JOIN rul ON ev_class = v.oid
  LEFT JOIN stx ON stxrelid = v.oid
  WHERE relkind IN ('v', 'm')
),
sequences AS (
  SELECT json_object_agg(s.name, json_strip_nulls(json_build_object(
    'type', format_type(seqtypid, NULL),
    -- A number that JavaScript would round is text.
    'start', CASE WHEN abs(seqstart::numeric) < 9007199254740992 THEN to_json(seqstart) ELSE to_json(seqstart::text) END,
    'increment', seqincrement,
    'minimum', CASE WHEN abs(seqmin::numeric) < 9007199254740992 THEN to_json(seqmin) ELSE to_json(seqmin::text) END,
    'maximum', CASE WHEN abs(seqmax::numeric) < 9007199254740992 THEN to_json(seqmax) ELSE to_json(seqmax::text) END,
    'cache', seqcache,
    'cycle', nullif(seqcycle, false),
    'unlogged', CASE relpersistence WHEN 'u' THEN true END,
    'ownedBy', (SELECT json_build_object('table', o.name, 'column', attname) FROM pg_depend
      JOIN relation o ON o.oid = refobjid JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
      WHERE classid = 'pg_class'::regclass AND objid = s.oid AND refclassid = 'pg_class'::regclass AND deptype = 'a'),
    'grants', grants,
    'comment', description
  )) ORDER BY s.name COLLATE "C") AS value
  FROM described s JOIN pg_sequence ON seqrelid = s.oid
  WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = s.oid AND deptype = 'i')
),
type AS MATERIALIZED (
  SELECT t.*, space.prefix || CASE WHEN typname ~ '[."]' THEN quote_ident(typname) ELSE typname::text END AS name,
    grants.value AS grants, description
  FROM pg_type t JOIN space ON typnamespace = space.oid
  LEFT JOIN grants ON classid = 'pg_type'::regclass AND grants.objid = t.oid
  LEFT JOIN remark ON classoid = 'pg_type'::regclass AND objoid = t.oid
  WHERE typtype IN ('e', 'd', 'c', 'r')
    AND NOT EXISTS (SELECT FROM owned WHERE owned.classid = 'pg_type'::regclass AND owned.objid = t.oid)
),
enums AS (
  SELECT json_object_agg(name, json_strip_nulls(json_build_object(
    'labels', (SELECT json_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = type.oid),
    'grants', grants, 'comment', description
  )) ORDER BY name COLLATE "C") AS value
  FROM type WHERE typtype = 'e'
),
domains AS (
  SELECT json_object_agg(name, json_strip_nulls(json_build_object(
    'type', format_type(typbasetype, typtypmod),
    'notNull', nullif(typnotnull, false),
    'default', pg_get_expr(typdefaultbin, 0),
    'collation', (SELECT quote_ident(nspname) || '.' || quote_ident(collname) FROM pg_collation o
      JOIN pg_namespace n ON n.oid = collnamespace
      WHERE o.oid = typcollation AND typcollation <> (SELECT b.typcollation FROM pg_type b WHERE b.oid = type.typbasetype)),
    'constraints', con.value,
    'grants', grants, 'comment', description
  )) ORDER BY name COLLATE "C") AS value
  FROM type LEFT JOIN con ON con.owner = type.oid WHERE typtype = 'd'
),
composites AS (
  SELECT json_object_agg(type.name, json_strip_nulls(json_build_object(
    'attributes', (SELECT json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod)) ORDER BY attnum)
      FROM pg_attribute WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped),
    'grants', type.grants, 'comment', type.description
  )) ORDER BY type.name COLLATE "C") AS value
  FROM type JOIN relation ON typrelid = relation.oid WHERE relkind = 'c'
),
ranges AS (
  SELECT json_object_agg(name, json_strip_nulls(json_build_object(
    'subtype', format_type(rngsubtype, NULL), 'grants', grants, 'comment', description
  )) ORDER BY name COLLATE "C") AS value
  FROM type JOIN pg_range ON rngtypid = type.oid WHERE typtype = 'r'
),
functions AS (
  SELECT json_object_agg(name, value ORDER BY name COLLATE "C") AS value FROM (
    SELECT space.prefix || CASE WHEN proname ~ '[."]' THEN quote_ident(proname) ELSE proname::text END
        || '(' || oidvectortypes(proargtypes) || ')' AS name,
      json_strip_nulls(json_build_object(
        'kind', CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window' ELSE 'function' END,
        'definition', CASE prokind WHEN 'a' THEN (
          SELECT format('SFUNC = %s, STYPE = %s%s%s', aggtransfn, format_type(aggtranstype, NULL),
            CASE WHEN aggfinalfn <> 0 THEN ', FINALFUNC = ' || aggfinalfn::text END, ', INITCOND = ' || quote_literal(agginitval))
          FROM pg_aggregate WHERE aggfnoid = p.oid) ELSE pg_get_functiondef(p.oid) END,
        'grants', grants.value,
        'comment', description
      )) AS value
    FROM pg_proc p JOIN space ON pronamespace = space.oid
    LEFT JOIN grants ON classid = 'pg_proc'::regclass AND grants.objid = p.oid
    LEFT JOIN remark ON classoid = 'pg_proc'::regclass AND objoid = p.oid
    WHERE NOT EXISTS (SELECT FROM owned WHERE owned.classid = 'pg_proc'::regclass AND owned.objid = p.oid)
      -- constructors of range types
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND deptype = 'i')
  ) f
),
schemas AS (
  SELECT json_object_agg(nspname, json_strip_nulls(json_build_object(
    'grants', grants.value, 'comment', CASE WHEN nspname <> 'public' THEN description END
  )) ORDER BY nspname) AS value
  FROM space LEFT JOIN grants ON classid = 'pg_namespace'::regclass AND grants.objid = space.oid
  LEFT JOIN remark ON classoid = 'pg_namespace'::regclass AND objoid = space.oid
  WHERE NOT EXISTS (SELECT FROM owned WHERE owned.classid = 'pg_namespace'::regclass AND owned.objid = space.oid)
),
extensions AS (
  SELECT json_object_agg(extname, json_build_object('version', extversion, 'schema', nspname) ORDER BY extname) AS value
  FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql'
),
event_triggers AS (
  SELECT json_object_agg(evtname, json_strip_nulls(json_build_object(
    'event', evtevent, 'function', evtfoid::regproc::text, 'tags', array_to_json(evttags),
    'enabled', CASE evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END
  )) ORDER BY evtname) AS value
  FROM pg_event_trigger e
  WHERE NOT EXISTS (SELECT FROM owned WHERE owned.classid = 'pg_event_trigger'::regclass AND owned.objid = e.oid)
)
SELECT json_build_object(
  'extensions', coalesce((SELECT value FROM extensions), '{}'),
  'schemas', coalesce((SELECT value FROM schemas), '{}'),
  'enums', coalesce((SELECT value FROM enums), '{}'),
  'domains', coalesce((SELECT value FROM domains), '{}'),
  'composites', coalesce((SELECT value FROM composites), '{}'),
  'ranges', coalesce((SELECT value FROM ranges), '{}'),
  'sequences', coalesce((SELECT value FROM sequences), '{}'),
  'tables', coalesce((SELECT value FROM tables), '{}'),
  'views', coalesce((SELECT value FROM views), '{}'),
  'functions', coalesce((SELECT value FROM functions), '{}'),
  'eventTriggers', coalesce((SELECT value FROM event_triggers), '{}')
)
