/** A stock gRPC client for tests: the official library, told about methods by their descriptors. */
import { create, fromBinary, toBinary, type DescMethod, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { ErrorInfoSchema, type ErrorInfo } from "../../protobuf/_generated/google/rpc/error_details_pb.js";

export interface GrpcOptions {
  readonly key?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
  /** Cancels the call after so many answers. */
  readonly cancelAfter?: number;
}

export interface GrpcFailure {
  readonly code: number;
  readonly details: string;
  readonly info: ErrorInfo | undefined;
}

export class GrpcClient {
  readonly #client: Client;
  readonly #key: string | undefined;

  constructor(address: string, key?: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
    });
    this.#key = key;
  }

  /** Calls a method; all of its answers. Rejects with a GrpcFailure. */
  async call<M extends DescMethod>(
    method: M,
    requests: readonly MessageInitShape<M["input"]>[],
    options: GrpcOptions = {},
  ): Promise<readonly MessageShape<M["output"]>[]> {
    const call = this.#client.makeBidiStreamRequest(
      `/${method.parent.typeName}/${method.name}`,
      (request: MessageInitShape<M["input"]>) => Buffer.from(toBinary(method.input, create(method.input, request))),
      (bytes: Buffer) => fromBinary(method.output, bytes) as MessageShape<M["output"]>,
      this.#metadata(options),
      options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs },
    );
    const answers: MessageShape<M["output"]>[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      call.on("data", (answer: MessageShape<M["output"]>) => {
        answers.push(answer);
        if (answers.length === options.cancelAfter) call.cancel();
      });
      call.on("error", (error: ServiceError) => reject(failureOf(error)));
      call.on("end", resolve);
    });
    for (const request of requests) call.write(request);
    call.end();
    await ended;
    return answers;
  }

  /** The one answer of a method. */
  async one<M extends DescMethod>(
    method: M,
    request: MessageInitShape<M["input"]>,
    options?: GrpcOptions,
  ): Promise<MessageShape<M["output"]>> {
    const [answer] = await this.call(method, [request], options);
    if (answer === undefined) throw new Error(`${method.name} answered nothing`);
    return answer;
  }

  /** How a call fails. */
  async failure<M extends DescMethod>(method: M, request: MessageInitShape<M["input"]>, options?: GrpcOptions): Promise<GrpcFailure> {
    try {
      await this.call(method, [request], options);
    } catch (error) {
      return error as GrpcFailure;
    }
    throw new Error(`${method.name} did not fail`);
  }

  close(): void {
    this.#client.close();
  }

  #metadata({ key = this.#key, metadata = {} }: GrpcOptions): Metadata {
    const made = new Metadata();
    if (key !== undefined && key !== "") made.set("authorization", `Bearer ${key}`);
    for (const [name, value] of Object.entries(metadata)) made.set(name, value);
    return made;
  }
}

function failureOf(error: ServiceError): GrpcFailure {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  return { code: error.code, details: error.details, info: Buffer.isBuffer(bytes) ? errorInfo(bytes) : undefined };
}

/** The detail in `google.rpc.Status`: the third field, an Any whose second field is the ErrorInfo. */
function errorInfo(status: Uint8Array): ErrorInfo | undefined {
  const any = lengthDelimited(status, 3);
  const value = any === undefined ? undefined : lengthDelimited(any, 2);
  return value === undefined ? undefined : fromBinary(ErrorInfoSchema, value);
}

function lengthDelimited(message: Uint8Array, wanted: number): Uint8Array | undefined {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === wanted && wireType === WireType.LengthDelimited) return reader.bytes();
    reader.skip(wireType);
  }
  return undefined;
}
