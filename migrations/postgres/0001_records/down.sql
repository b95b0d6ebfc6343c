DROP TABLE outbox, resource_range, resource_text, history, resource;
DROP SEQUENCE resource_rid;
