-- Upgrade packages of clients: what was published for whom, and what was withdrawn.

-- f_sha256 is the package, which lies in the file cache; f_name what it is called. f_key and
-- f_signature are the publisher's, in base64. f_percent of all devices are offered it. f_old_name:
-- what existing Windows clients call the package; empty if they are not told of it. f_withdrawn:
-- since when nobody is offered it; 0 for not.
CREATE TABLE t_upgrade (
    f_id        INTEGER PRIMARY KEY AUTOINCREMENT,
    f_platform  TEXT    NOT NULL,
    f_channel   TEXT    NOT NULL,
    f_version   TEXT    NOT NULL,
    f_sha256    TEXT    NOT NULL,
    f_size      INTEGER NOT NULL,
    f_name      TEXT    NOT NULL,
    f_notes     TEXT    NOT NULL,
    f_percent   INTEGER NOT NULL,
    f_old_name  TEXT    NOT NULL,
    f_key       TEXT    NOT NULL,
    f_signature TEXT    NOT NULL,
    f_published INTEGER NOT NULL,
    f_withdrawn INTEGER NOT NULL DEFAULT 0,
    UNIQUE (f_platform, f_channel, f_version)
) STRICT;
