// What we use of linkifyjs (https://linkify.js.org), for the type checker.
export interface Found {
  type: "url" | "email" | string;
  value: string;
  href: string;
  start: number;
  end: number;
  isLink: boolean;
}
export declare function find(text: string): Found[];
