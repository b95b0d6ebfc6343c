DROP TABLE outbox;
DROP TABLE resource_range;
DROP TABLE resource_text;
DROP TABLE resource_key;
DROP TABLE history;
DROP TABLE resource;
