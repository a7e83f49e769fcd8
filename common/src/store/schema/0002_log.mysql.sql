-- Makes a log of every conversation and brings along what an original database holds. Every
-- statement may be repeated: MySQL cannot undo a change of a table, so a server that stopped in the
-- middle starts again from the top. "CALL name" is not SQL here but a step of mysql/adopt.rs: adding
-- what may be there already.
CALL columns
--;
CREATE TABLE IF NOT EXISTS t_username (
    -- Bytes, because every text collation that MySQL and MariaDB share ignores trailing spaces.
    f_username varbinary(1020) NOT NULL,
    f_user_id  bigint NOT NULL,
    PRIMARY KEY (f_username)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_conversation (
    f_conv bigint NOT NULL,
    f_head bigint NOT NULL,
    f_time bigint NOT NULL,
    PRIMARY KEY (f_conv)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_place (
    f_user_id bigint NOT NULL,
    f_conv    bigint NOT NULL,
    f_since   bigint NOT NULL,
    PRIMARY KEY (f_user_id, f_conv)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_device (
    f_user_id    bigint NOT NULL,
    f_device     bigint unsigned NOT NULL,
    f_registered bigint NOT NULL,
    PRIMARY KEY (f_user_id, f_device)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_cursor (
    f_user_id bigint NOT NULL,
    f_device  bigint unsigned NOT NULL,
    f_conv    bigint NOT NULL,
    f_seq     bigint NOT NULL,
    -- A new device asks for the furthest of all devices.
    PRIMARY KEY (f_user_id, f_conv, f_device)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_friend_request (
    f_from bigint NOT NULL,
    f_to   bigint NOT NULL,
    f_time bigint NOT NULL,
    PRIMARY KEY (f_from, f_to)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_id (
    f_kind varchar(16) NOT NULL,
    f_next bigint NOT NULL,
    PRIMARY KEY (f_kind)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_blob (
    f_sha256 char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_size   bigint unsigned NOT NULL,
    f_time   bigint NOT NULL,
    PRIMARY KEY (f_sha256)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_blob_name (
    f_class    tinyint NOT NULL,
    f_name     varbinary(1020) NOT NULL,
    f_sha256   char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_verified tinyint NOT NULL,
    f_time     bigint NOT NULL,
    PRIMARY KEY (f_class, f_name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_address (
    f_address    varchar(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_last_login bigint NOT NULL,
    PRIMARY KEY (f_address)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_upload_day (
    f_address varchar(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_day     bigint NOT NULL,
    f_bytes   bigint unsigned NOT NULL,
    PRIMARY KEY (f_address, f_day)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
-- The original never had a unique key: the oldest row of a pair stays.
DELETE r FROM t_user_relationship r
JOIN (
    SELECT f_user_id1, f_user_id2, MIN(f_id) AS f_keep
    FROM t_user_relationship
    GROUP BY f_user_id1, f_user_id2
    HAVING COUNT(*) > 1
) k ON k.f_user_id1 = r.f_user_id1 AND k.f_user_id2 = r.f_user_id2 AND r.f_id > k.f_keep
--;
-- One could join a group that did not exist; whoever did must not be a member of the group that
-- gets the number later.
DELETE r FROM t_user_relationship r
LEFT JOIN t_user a ON a.f_user_id = r.f_user_id1
LEFT JOIN t_user b ON b.f_user_id = r.f_user_id2
WHERE a.f_user_id IS NULL OR b.f_user_id IS NULL OR r.f_user_id1 >= r.f_user_id2
--;
INSERT INTO t_username (f_username, f_user_id)
SELECT CAST(f_username AS BINARY), MIN(f_user_id) FROM t_user
WHERE f_username <> ''
GROUP BY CAST(f_username AS BINARY)
ON DUPLICATE KEY UPDATE f_user_id = t_username.f_user_id
--;
-- Numbers that only messages mention count too: nobody new may inherit an old conversation.
INSERT INTO t_id (f_kind, f_next)
SELECT 'user', 1 + COALESCE(MAX(n), 0) FROM (
    SELECT f_user_id AS n FROM t_user
    UNION ALL SELECT f_senderid FROM t_chatmsg
    UNION ALL SELECT f_targetid FROM t_chatmsg
) AS numbers
WHERE n BETWEEN 1 AND 268435454
ON DUPLICATE KEY UPDATE f_next = t_id.f_next
--;
INSERT INTO t_id (f_kind, f_next)
SELECT 'group', 1 + COALESCE(MAX(n), 268435455) FROM (
    SELECT f_user_id AS n FROM t_user
    UNION ALL SELECT f_targetid FROM t_chatmsg
) AS numbers
WHERE n BETWEEN 268435456 AND 2147483647
ON DUPLICATE KEY UPDATE f_next = t_id.f_next
--;
-- Written by a transaction that must reach the disk although it has nothing else to write.
INSERT INTO t_id (f_kind, f_next) VALUES ('barrier', 0)
ON DUPLICATE KEY UPDATE f_next = t_id.f_next
--;
-- Old messages become entries. A message from or to a number that is nobody's stays outside every
-- conversation. A conversation's time never runs backwards.
UPDATE t_chatmsg m
JOIN (
    SELECT f_id, f_conv,
        ROW_NUMBER() OVER (PARTITION BY f_conv ORDER BY f_id) AS f_seq,
        MAX(f_time) OVER (PARTITION BY f_conv ORDER BY f_id) AS f_time
    FROM (
        SELECT f_id,
            CASE
                WHEN f_senderid NOT BETWEEN 1 AND 268435454 THEN NULL
                WHEN f_targetid BETWEEN 1 AND 268435454
                    THEN (1 << 60) | (LEAST(f_senderid, f_targetid) << 30)
                        | GREATEST(f_senderid, f_targetid)
                WHEN f_targetid BETWEEN 268435456 AND 2147483647 THEN (2 << 60) | f_targetid
            END AS f_conv,
            COALESCE(UNIX_TIMESTAMP(f_create_time), 0) * 1000 AS f_time
        FROM t_chatmsg
    ) AS old
    WHERE f_conv IS NOT NULL
) n ON n.f_id = m.f_id
SET m.f_conv = n.f_conv, m.f_seq = n.f_seq, m.f_kind = 1, m.f_tag = 0, m.f_device = 0,
    m.f_client_id = CONCAT('old:', m.f_id), m.f_time = n.f_time
WHERE m.f_conv IS NULL
--;
INSERT INTO t_conversation (f_conv, f_head, f_time)
SELECT f_conv, MAX(f_seq), MAX(f_time) FROM t_chatmsg WHERE f_conv IS NOT NULL GROUP BY f_conv
ON DUPLICATE KEY UPDATE f_head = t_conversation.f_head
--;
-- Old history counts as delivered: everybody's place begins at its end.
INSERT INTO t_place (f_user_id, f_conv, f_since)
SELECT f_conv & 1073741823, f_conv, f_head FROM t_conversation WHERE f_conv >> 60 = 1
ON DUPLICATE KEY UPDATE f_since = t_place.f_since
--;
INSERT INTO t_place (f_user_id, f_conv, f_since)
SELECT (f_conv >> 30) & 1073741823, f_conv, f_head FROM t_conversation WHERE f_conv >> 60 = 1
ON DUPLICATE KEY UPDATE f_since = t_place.f_since
--;
INSERT INTO t_place (f_user_id, f_conv, f_since)
SELECT r.f_user_id1, (2 << 60) | r.f_user_id2, COALESCE(v.f_head, 0)
FROM t_user_relationship r
LEFT JOIN t_conversation v ON v.f_conv = (2 << 60) | r.f_user_id2
WHERE r.f_user_id2 >= 268435456
ON DUPLICATE KEY UPDATE f_since = t_place.f_since
--;
CALL unique_keys
