-- Identifies the database of the session as JSON, for the plan and for the runner. A role that may not read the server's
-- system identifier may not even name its function in a statement, hence the detour by XML.
SELECT pg_catalog.json_build_object(
  'name', datname,
  'oid', oid::text,
  'system', CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') THEN
    pg_catalog.substring(
      pg_catalog.query_to_xml('SELECT system_identifier FROM pg_catalog.pg_control_system()', true, false, '')::text,
      '<system_identifier>([0-9]+)<') END)
FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
