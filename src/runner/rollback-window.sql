-- The rollback window of a database at a revision: the heads whose code keeps working, by the run records, of which the newest
-- counts for each revision. Those of another format or version table say nothing. No row if none names the revision, otherwise
-- one value: the release that applied it, the heads, and the revision that ends the window with its blocker, or null where the
-- records end.
WITH RECURSIVE step AS (
  SELECT DISTINCT ON (s.id) s.id, s.after, s.blocker, r.image, r.started_at AS "startedAt"
  FROM ONLY pulumi_alembic.runs r, jsonb_to_recordset(CASE WHEN to_jsonb(r) -> 'rollback' ->> 'version' = '1'
    AND to_jsonb(r) -> 'rollback' -> 'table' = CAST(:table AS jsonb)
    THEN to_jsonb(r) -> 'rollback' -> 'revisions' ELSE '[]' END) s(id text, after text, blocker text)
  ORDER BY s.id, r.id DESC
), walk AS (
  SELECT step.* FROM step WHERE step.id = :revision
  UNION
  SELECT step.* FROM walk JOIN step ON step.id = walk.after WHERE walk.blocker IS NULL
)
SELECT json_build_object(
  'image', step.image, 'startedAt', step."startedAt",
  'heads', (SELECT coalesce(json_agg(after ORDER BY after), '[]') FROM walk WHERE blocker IS NULL AND after IS NOT NULL),
  'end', (SELECT json_build_object('revision', id, 'blocker', blocker) FROM walk WHERE blocker IS NOT NULL))
FROM step WHERE step.id = :revision
