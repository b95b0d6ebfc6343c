-- What is asked for by the end of a range. Where a range is a point, its
-- beginning tells as much, and has an index already.
CREATE INDEX resource_range_high ON resource_range (param, high, rid) WHERE low <> high;
