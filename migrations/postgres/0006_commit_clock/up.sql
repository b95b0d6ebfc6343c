-- The newest time that was given to a version, whichever instance wrote it. Who commits
-- versions moves it and holds its row until the commit: what is visible then never gets
-- company from an earlier time. The row is rewritten in place: room on its page keeps
-- that cheap.
CREATE TABLE commit_clock (
    last BIGINT NOT NULL
) WITH (fillfactor = 10);
INSERT INTO commit_clock (last) SELECT coalesce(max(updated), 0) FROM resource;
