export const errors = {
  "error.network": "无法连接服务器。",
  "error.retry_in": { other: "请在 {count} 秒后重试。" },
};
