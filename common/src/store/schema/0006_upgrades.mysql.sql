-- Upgrade packages of clients. The columns are explained in 0005_upgrades.sqlite.sql. Every
-- statement may be repeated, see 0002_log.mysql.sql.
CREATE TABLE IF NOT EXISTS t_upgrade (
    f_id        bigint NOT NULL AUTO_INCREMENT,
    f_platform  varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_channel   varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_version   varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_sha256    char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_size      bigint unsigned NOT NULL,
    f_name      varchar(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_notes     text NOT NULL,
    f_percent   tinyint unsigned NOT NULL,
    f_old_name  varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_key       varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_signature varchar(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_published bigint NOT NULL,
    f_withdrawn bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (f_id),
    UNIQUE KEY k_version (f_platform, f_channel, f_version)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
