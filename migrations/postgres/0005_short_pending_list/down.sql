ALTER INDEX resource_keys SET (gin_pending_list_limit = 512);
