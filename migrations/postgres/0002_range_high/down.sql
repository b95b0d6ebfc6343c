DROP INDEX resource_range_high;
