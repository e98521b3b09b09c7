/** Text encodings: all of the Encoding standard, the legacy ones included. */
import { TextDecoder, TextDecoderStream, TextEncoder, TextEncoderStream } from "@exodus/bytes/encoding.js";
import { platformClasses } from "./platform-class.ts";

platformClasses({ TextDecoder, TextDecoderStream, TextEncoder, TextEncoderStream });

export { TextDecoder, TextDecoderStream, TextEncoder, TextEncoderStream };
