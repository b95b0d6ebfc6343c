-- Small documents that decide on access and are no FHIR resources: keys,
-- clients, grants. `expires` in microseconds since 1970; NULL: never.
CREATE TABLE registry (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX registry_expires ON registry (expires) WHERE expires IS NOT NULL;

-- One number that moves with every change that decides on access.
CREATE TABLE access_epoch (
    value INTEGER NOT NULL
);
INSERT INTO access_epoch (value) VALUES (0);

-- What happened, append-only. Each row's hash covers its record and the hash
-- of the row before it, so that the rows of one writer are a chain.
CREATE TABLE audit (
    writer TEXT NOT NULL,
    position INTEGER NOT NULL,
    made INTEGER NOT NULL,
    record TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (writer, position)
) WITHOUT ROWID;

-- The chains: how long each is, its last hash, and what the newest chain was
-- when it began, so that a chain cannot vanish as a whole.
CREATE TABLE audit_writer (
    writer TEXT PRIMARY KEY NOT NULL,
    began INTEGER NOT NULL,
    after_writer TEXT,
    after_position INTEGER NOT NULL,
    after_hash TEXT NOT NULL,
    position INTEGER NOT NULL,
    hash TEXT NOT NULL
) WITHOUT ROWID;
