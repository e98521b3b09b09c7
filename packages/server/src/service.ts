/**
 * Something long-lived. `main.ts` starts services in order and stops them in the reverse order.
 * `stop` resolves when nothing of the service runs any more.
 */
export interface Service {
  readonly id: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}
