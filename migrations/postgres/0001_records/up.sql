-- The current version of every resource. What a search within one patient needs
-- (owner, clinical time, hashed facts) stands in the row itself.
CREATE SEQUENCE resource_rid INCREMENT BY 1000;

CREATE TABLE resource (
    rid         BIGINT PRIMARY KEY,
    version     BIGINT NOT NULL,
    updated     BIGINT NOT NULL,
    identity    BIGINT,
    owner       BIGINT,
    moment_low  BIGINT,
    moment_high BIGINT,
    method      SMALLINT NOT NULL,
    type        TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    keys        BIGINT[] NOT NULL,
    ordering    JSONB,
    body        TEXT
);
CREATE UNIQUE INDEX resource_identity ON resource (type, id);
CREATE INDEX resource_owner ON resource (type, owner, id) WHERE owner IS NOT NULL;
-- What links call a resource.
CREATE INDEX resource_link ON resource (identity) WHERE identity IS NOT NULL;
CREATE INDEX resource_type_updated ON resource (type, updated, id);
CREATE INDEX resource_updated ON resource (updated);
CREATE INDEX resource_moment ON resource (type, moment_low, id) WHERE moment_low IS NOT NULL;
-- A short pending list: a search has to read all of it.
CREATE INDEX resource_keys ON resource USING gin (keys) WITH (gin_pending_list_limit = 512);

-- Versions that are no longer current; a row moves here when it is superseded.
CREATE TABLE history (
    rid        BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    superseded BIGINT NOT NULL,
    method     SMALLINT NOT NULL,
    type       TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    body       TEXT,
    PRIMARY KEY (rid, version)
);
CREATE INDEX history_type_updated ON history (type, updated);
CREATE INDEX history_updated ON history (updated);

CREATE TABLE resource_text (
    param BIGINT NOT NULL,
    rid   BIGINT NOT NULL,
    value TEXT COLLATE "C" NOT NULL
);
CREATE INDEX resource_text_value ON resource_text (param, value, rid);
CREATE INDEX resource_text_rid ON resource_text (rid);

CREATE TABLE resource_range (
    param BIGINT NOT NULL,
    low   BIGINT NOT NULL,
    high  BIGINT NOT NULL,
    rid   BIGINT NOT NULL
);
CREATE INDEX resource_range_value ON resource_range (param, low, high, rid);
CREATE INDEX resource_range_rid ON resource_range (rid);

CREATE TABLE outbox (
    seq     BIGSERIAL PRIMARY KEY,
    created BIGINT NOT NULL,
    topic   TEXT NOT NULL,
    payload TEXT NOT NULL
);

-- lz4 costs a fraction of pglz; a server built without it keeps the default.
DO $$
BEGIN
    ALTER TABLE resource ALTER COLUMN body SET COMPRESSION lz4;
    ALTER TABLE history ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END
$$;
