-- The current version of every resource, deleted ones included (body NULL).
-- Times are microseconds since 1970.
CREATE TABLE resource (
    rid INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    method INTEGER NOT NULL,
    identity INTEGER,
    owner INTEGER,
    moment_low INTEGER,
    moment_high INTEGER,
    ordering TEXT,
    body TEXT,
    UNIQUE (type, id)
);
CREATE INDEX resource_owner ON resource (owner, type, id) WHERE owner IS NOT NULL;
-- What links call a resource.
CREATE INDEX resource_link ON resource (identity) WHERE identity IS NOT NULL;
CREATE INDEX resource_type_updated ON resource (type, updated, id);
CREATE INDEX resource_updated ON resource (updated);
CREATE INDEX resource_moment ON resource (type, moment_low, id) WHERE moment_low IS NOT NULL;

-- The versions before the current one.
CREATE TABLE history (
    rid INTEGER NOT NULL,
    version INTEGER NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    updated INTEGER NOT NULL,
    superseded INTEGER NOT NULL,
    method INTEGER NOT NULL,
    body TEXT,
    PRIMARY KEY (rid, version)
);
CREATE INDEX history_type_updated ON history (type, updated);
CREATE INDEX history_updated ON history (updated);

-- What live resources are found by. There are no foreign keys: rows come and
-- go with their resource in one transaction.
CREATE TABLE resource_key (
    key INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (key, rid)
) WITHOUT ROWID;
CREATE INDEX resource_key_rid ON resource_key (rid);

CREATE TABLE resource_text (
    param INTEGER NOT NULL,
    value TEXT NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (param, value, rid)
) WITHOUT ROWID;
CREATE INDEX resource_text_rid ON resource_text (rid, param);

CREATE TABLE resource_range (
    param INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (param, low, high, rid)
) WITHOUT ROWID;
CREATE INDEX resource_range_rid ON resource_range (rid, param);

-- Messages that became durable together with the changes they tell of.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    created INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload TEXT NOT NULL
);
