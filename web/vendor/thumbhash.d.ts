// What we use of ThumbHash (https://evanw.github.io/thumbhash), for the type checker.
export declare function thumbHashToRGBA(hash: Uint8Array): { w: number; h: number; rgba: Uint8Array };
