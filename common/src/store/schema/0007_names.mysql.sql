-- What user names look like. The columns are explained in 0006_names.sqlite.sql. Every statement may
-- be repeated, see 0002_log.mysql.sql.
CREATE TABLE IF NOT EXISTS t_name_look (
    f_look    varbinary(1020) NOT NULL,
    f_user_id bigint NOT NULL,
    PRIMARY KEY (f_look)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
