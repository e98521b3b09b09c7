-- Moments that stay readable in one range of keys: at each moment t with made_ts <= t < ended_ts the pin held. A value of
-- `replaced` in the range whose interval holds `at` is kept until ended_ts is at or before the horizon; then the range is
-- searched for what nobody needs any more, and the row is removed. ended_ts is null while the pin holds.
CREATE TABLE pins (
  id BLOB NOT NULL PRIMARY KEY,
  range_start BLOB NOT NULL,
  range_end BLOB NOT NULL,
  at INTEGER NOT NULL,
  made_ts INTEGER NOT NULL,
  ended_ts INTEGER
) STRICT, WITHOUT ROWID;
