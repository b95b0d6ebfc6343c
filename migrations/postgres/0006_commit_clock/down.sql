DROP TABLE commit_clock;
