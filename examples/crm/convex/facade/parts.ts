import { crud } from "../model/crud.ts";
import { OBJECTS } from "../model/objects.ts";

const { create, get, update, remove, list, count } = crud(OBJECTS.parts);
export { create, get, update, remove as delete, list, count };
