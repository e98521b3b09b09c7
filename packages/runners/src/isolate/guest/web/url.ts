import { URL, URLSearchParams } from "whatwg-url";
import { knowClasses } from "./known-classes.ts";
import { platformClasses } from "./platform-class.ts";

platformClasses({ URL, URLSearchParams });
knowClasses({ URL, URLSearchParams });

export { URL, URLSearchParams };
