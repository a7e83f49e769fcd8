-- Files over HTTP. The columns are explained in 0004_files.sqlite.sql. Every statement may be
-- repeated, see 0002_log.mysql.sql.
CALL file_columns
--;
CALL file_keys
--;
CREATE TABLE IF NOT EXISTS t_blob_owner (
    f_user_id bigint NOT NULL,
    f_sha256  char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_class   tinyint NOT NULL,
    f_name    varchar(255) DEFAULT NULL,
    f_size    bigint unsigned NOT NULL,
    f_time    bigint NOT NULL,
    PRIMARY KEY (f_user_id, f_sha256, f_class),
    KEY k_sha256 (f_sha256),
    KEY k_class (f_class, f_sha256)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_blob_ref (
    f_sha256 char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_kind   tinyint NOT NULL,
    f_owner  bigint NOT NULL,
    f_seq    bigint NOT NULL,
    PRIMARY KEY (f_sha256, f_kind, f_owner, f_seq),
    KEY k_owner (f_kind, f_owner, f_seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
INSERT IGNORE INTO t_blob_ref (f_sha256, f_kind, f_owner, f_seq)
SELECT n.f_sha256, IF(u.f_user_id < 268435456, 2, 3), u.f_user_id, 0
FROM t_user u JOIN t_blob_name n ON n.f_class = 2 AND n.f_name = CAST(u.f_customface AS BINARY)
WHERE u.f_customface <> ''
