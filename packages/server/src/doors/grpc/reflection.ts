/** `grpc.reflection`, v1 and v1alpha: the descriptors of what the port serves, for clients that have none. */
import { create, toBinary, type DescFile, type DescMethod, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import { ServerReflectionResponseSchema, type ServerReflection } from "../../protobuf/_generated/grpc/reflection/v1/reflection_pb.js";
import {
  ServerReflectionResponseSchema as AlphaResponseSchema,
  type ServerReflection as ServerReflectionAlpha,
} from "../../protobuf/_generated/grpc/reflection/v1alpha/reflection_pb.js";

/** Of both versions, which have the same messages under other names. */
type Answer =
  | { readonly case: "listServicesResponse"; readonly value: { readonly service: { readonly name: string }[] } }
  | { readonly case: "fileDescriptorResponse"; readonly value: { readonly fileDescriptorProto: Uint8Array<ArrayBuffer>[] } }
  | { readonly case: "allExtensionNumbersResponse"; readonly value: { readonly baseTypeName: string } }
  | { readonly case: "errorResponse"; readonly value: { readonly errorCode: number; readonly errorMessage: string } };

/** `ending` aborts when the host begins to shut down. */
export function reflection(known: Known, ending: AbortSignal): ServiceImpl<typeof ServerReflection> {
  return {
    serverReflectionInfo: async function* (requests) {
      for await (const [request, messageResponse] of answers(known, requests, ending))
        yield create(ServerReflectionResponseSchema, { validHost: request.host, originalRequest: request, messageResponse });
    },
  };
}

export function reflectionAlpha(known: Known, ending: AbortSignal): ServiceImpl<typeof ServerReflectionAlpha> {
  return {
    serverReflectionInfo: async function* (requests) {
      for await (const [request, messageResponse] of answers(known, requests, ending))
        yield create(AlphaResponseSchema, { validHost: request.host, originalRequest: request, messageResponse });
    },
  };
}

async function* answers<
  R extends { readonly host: string; readonly messageRequest: { readonly case: string | undefined; readonly value?: unknown } },
>(known: Known, requests: AsyncIterable<R>, ending: AbortSignal): AsyncGenerator<readonly [R, Answer]> {
  for await (const request of requests) {
    yield [request, answerTo(request.messageRequest, known)];
    if (ending.aborted) return;
  }
}

/** What is served. */
export interface Known {
  readonly services: readonly DescService[];
  readonly files: readonly DescFile[];
  readonly symbols: ReadonlyMap<string, DescFile>;
}

export function describe(services: readonly DescService[]): Known {
  const files = filesOf(services);
  return { services, files, symbols: new Map(files.flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file] as const))) };
}

function answerTo(asked: { readonly case: string | undefined; readonly value?: unknown }, { services, files, symbols }: Known): Answer {
  const name = typeof asked.value === "string" ? asked.value : "";
  switch (asked.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: services.map(({ typeName }) => ({ name: typeName })) } };
    case "fileByFilename":
      return fileAnswer(files.find(({ proto }) => proto.name === name));
    case "fileContainingSymbol":
      return fileAnswer(symbols.get(name));
    case "allExtensionNumbersOfType":
      return { case: "allExtensionNumbersResponse", value: { baseTypeName: name } };
    default:
      return NOT_FOUND;
  }
}

/** A file and all that it needs, itself first. */
function fileAnswer(file: DescFile | undefined): Answer {
  if (file === undefined) return NOT_FOUND;
  return {
    case: "fileDescriptorResponse",
    value: { fileDescriptorProto: withDependencies(file).map((each) => toBinary(FileDescriptorProtoSchema, withSuffix(each))) },
  };
}

/** Descriptors are named without the suffix that files and their imports have. */
function withSuffix({ name, proto }: DescFile) {
  return proto.name === `${name}.proto` ? proto : { ...proto, name: `${name}.proto` };
}

const NOT_FOUND: Answer = { case: "errorResponse", value: { errorCode: Code.NotFound, errorMessage: "There is no such thing here." } };

function filesOf(services: readonly DescService[]): readonly DescFile[] {
  return [...new Set(services.flatMap(({ file }) => withDependencies(file)))];
}

function withDependencies(file: DescFile): readonly DescFile[] {
  const found = new Set([file]);
  for (const each of found) for (const dependency of each.dependencies) found.add(dependency);
  return [...found];
}

/** Full names of what a file declares, methods of its services included. */
function symbolsOf(file: DescFile): readonly string[] {
  const messages = [...file.messages];
  for (const message of messages) messages.push(...message.nestedMessages);
  const enums = [...file.enums, ...messages.flatMap(({ nestedEnums }) => nestedEnums)];
  const methods = file.services.flatMap((service) => service.methods.map((method: DescMethod) => `${service.typeName}.${method.name}`));
  return [...methods, ...[...messages, ...enums, ...file.services].map(({ typeName }) => typeName)];
}
