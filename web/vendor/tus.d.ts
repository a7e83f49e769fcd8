// What we use of tus-js-client (https://github.com/tus/tus-js-client), for the type checker.
export interface Options {
  endpoint?: string;
  uploadUrl?: string;
  headers?: Record<string, string>;
  metadata?: Record<string, string>;
  chunkSize?: number;
  retryDelays?: number[] | null;
  storeFingerprintForResuming?: boolean;
  removeFingerprintOnSuccess?: boolean;
  uploadDataDuringCreation?: boolean;
  onProgress?: (sent: number, total: number) => void;
  onSuccess?: (payload: { lastResponse: Response }) => void;
  onError?: (error: Error | DetailedError) => void;
  onShouldRetry?: (error: DetailedError, attempt: number, options: Options) => boolean;
  onAfterResponse?: (request: { getMethod(): string }, response: Response) => void;
}
export interface Response {
  getStatus(): number;
  getHeader(name: string): string | undefined;
  getBody(): string;
}
export declare class DetailedError extends Error {
  originalResponse: Response | null;
}
export declare class Upload {
  constructor(file: Blob, options: Options);
  url: string | null;
  start(): void;
  abort(terminate?: boolean): Promise<void>;
  findPreviousUploads(): Promise<object[]>;
  resumeFromPreviousUpload(previous: object): void;
}
