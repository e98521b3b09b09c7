export interface SyncCallEvent {
  readonly payload: {
    readonly event_type: string;
    readonly connection_data: { readonly key: string };
    readonly event_context: {
      readonly callback_url: string;
      readonly worker_data_url: string;
      readonly request_id: string;
      readonly sync_unit: string;
      readonly sync_unit_id: string;
      readonly mode: string;
    };
  };
  readonly context: { readonly secrets: { readonly service_account_token: string } };
}

export function parseSyncEvent(text: string): SyncCallEvent {
  return JSON.parse(text) as SyncCallEvent;
}
