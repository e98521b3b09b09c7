/** A real host to which functions of packages call back, and the requests that tests of its doors send. */
import { archiveOf, type Files } from "../../packages/server/src/packages/test-packages.ts";
import { startTestHost, textAt, type Answer, type TestHost } from "../../packages/server/src/doors/test/test-host.ts";

export interface CalledHost extends TestHost {
  /** Uploads, installs and activates; the id of the snap-in. */
  bring(name: string, files: Files): Promise<string>;
}

export async function startCalledHost(allowed: readonly string[] = []): Promise<CalledHost> {
  // What functions take on a busy machine is not what these tests are about.
  const host = await startTestHost({ userCpuMs: 20_000, egressAllowPrivate: allowed });
  return {
    ...host,
    bring: async (name, files) => {
      await succeed(
        host.send(`/v1/packages/${name}/versions`, {
          method: "POST",
          body: archiveOf(files),
          headers: { "content-type": "application/gzip" },
        }),
      );
      const id = textAt(await succeed(host.send("/v1/snap-ins", { body: { package: name } })), "id");
      const active = await succeed(host.send(`/v1/snap-ins/${id}/activate`, { method: "POST" }));
      if (textAt(active, "state") !== "active") throw new Error(active.text);
      return id;
    },
  };
}

export async function succeed(sent: Promise<Answer>): Promise<Answer> {
  const answer = await sent;
  if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
  return answer;
}

/** Brings a snap-in whose account has these scopes, lines of a manifest, and gives the account's token. */
export async function bringAccount(host: CalledHost, name: string, scopes = ""): Promise<{ readonly id: string; readonly token: string }> {
  const id = await host.bring(name, accountFiles(name, scopes));
  const body = { object: "don:core:plinth:devo/default:ticket/1", parameters: "", user: "ada" };
  return { id, token: textAt(await succeed(host.send(`/v1/commands/${name}/tokens`, { body })), "value") };
}

function accountFiles(name: string, scopes: string) {
  return {
    "manifest.yaml": `version: "2"
name: ${name}
description: For tests.
service_account:
  display_name: Bot
${scopes}functions:
  - name: tokens
    description: For tests.
commands:
  - name: tokens
    namespace: ${name}
    description: For tests.
    surfaces:
      - surface: discussions
        object_types: [ticket]
    function: tokens
`,
    "code/package.json": '{"main":"./dist/index.js"}',
    "code/dist/index.js": "exports.functionFactory = { tokens: async ([event]) => event.context.secrets.service_account_token };",
  };
}
