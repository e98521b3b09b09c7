export { functionFactory } from "./function-factory";
