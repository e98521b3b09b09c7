-- The latest value of each key. Reading the latest state is one lookup here.
CREATE TABLE current (
  key BLOB NOT NULL PRIMARY KEY,
  value BLOB NOT NULL,
  ts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was overwritten or deleted: `value` was the value at each moment t with from_ts <= t < until_ts.
-- The interval of a key that holds a moment is the first one with until_ts > t.
CREATE TABLE replaced (
  key BLOB NOT NULL,
  until_ts INTEGER NOT NULL,
  from_ts INTEGER NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (key, until_ts)
) STRICT, WITHOUT ROWID;

-- One row per commit with the keys that it wrote. The values lie in `current` and `replaced`. Because
-- until_ts is the commit that replaced a value, the log is also the way by which collection finds old
-- rows of `replaced`, without an index of its own. The newest row is never collected.
CREATE TABLE log (
  ts INTEGER NOT NULL PRIMARY KEY,
  keys BLOB NOT NULL
) STRICT;

-- horizon: the oldest moment that can be read. ts_floor: later commits have a greater timestamp.
CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES ('horizon', 0), ('ts_floor', 0);
