/** The guest's script as text; `build-image.ts` puts it there. */
declare module "plinth:guest-source" {
  export const guestSource: string;
}
