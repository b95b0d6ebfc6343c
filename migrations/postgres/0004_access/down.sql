DROP TABLE audit_writer;
DROP TABLE audit;
DROP TABLE access_epoch;
DROP TABLE registry;
