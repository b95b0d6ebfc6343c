DROP TABLE outbox, resource_date, resource_text, history, resource;
DROP SEQUENCE resource_rid;
