import { performance } from "../performance.ts";

export { performance };
