-- Small documents that decide on access and are no FHIR resources: keys,
-- clients, grants. `expires` in microseconds since 1970; NULL: never.
CREATE TABLE registry (
    version BIGINT NOT NULL,
    expires BIGINT,
    kind    TEXT COLLATE "C" NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX registry_expires ON registry (expires) WHERE expires IS NOT NULL;

-- One number that moves with every change that decides on access. The row is
-- rewritten in place: room on its page keeps that cheap.
CREATE TABLE access_epoch (
    value BIGINT NOT NULL
) WITH (fillfactor = 10);
INSERT INTO access_epoch (value) VALUES (0);

-- What happened, append-only. Each row's hash covers its record and the hash
-- of the row before it, so that the rows of one writer are a chain.
CREATE TABLE audit (
    position BIGINT NOT NULL,
    made     BIGINT NOT NULL,
    writer   TEXT COLLATE "C" NOT NULL,
    hash     TEXT COLLATE "C" NOT NULL,
    record   TEXT NOT NULL,
    PRIMARY KEY (writer, position)
);

-- The chains: how long each is, its last hash, and what the newest chain was
-- when it began, so that a chain cannot vanish as a whole.
CREATE TABLE audit_writer (
    began          BIGINT NOT NULL,
    after_position BIGINT NOT NULL,
    position       BIGINT NOT NULL,
    writer         TEXT COLLATE "C" PRIMARY KEY,
    after_writer   TEXT COLLATE "C",
    after_hash     TEXT COLLATE "C" NOT NULL,
    hash           TEXT COLLATE "C" NOT NULL
) WITH (fillfactor = 50);
