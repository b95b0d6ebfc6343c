SET LOCAL lock_timeout = '5s';
ALTER INDEX resource_keys SET (gin_pending_list_limit = 512);
