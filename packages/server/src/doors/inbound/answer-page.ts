/**
 * The page on which a person answers an approval. All that it shows comes from definitions, runs and callers: it is escaped, and the
 * page may load, run and frame nothing. Its address is a secret: it is sent to nobody and stored nowhere.
 */
import { createHash } from "node:crypto";
import type { PlinthError } from "@plinth/core/errors.ts";
import { type FormField, formFields } from "../../flows/approvals.ts";
import type { OpenQuestion } from "../../flows/flows.ts";
import type { TextReply } from "../door.ts";

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#1a1a1a}" +
  "label{display:block;margin:1rem 0}input:not([type=checkbox]),select,textarea{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.4rem}" +
  "pre{background:#f4f4f4;padding:1rem;white-space:pre-wrap;overflow-wrap:anywhere}button{font:inherit;padding:.5rem 1.5rem;margin-right:1rem}";

const HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-robots-tag": "noindex",
};

export function htmlReply(body: string, status = 200): TextReply {
  return { kind: "text", status, contentType: "text/html; charset=utf-8", body, headers: HEADERS };
}

export function questionPage({ kind, title, form, details, approver, untilMs }: OpenQuestion): string {
  if (kind !== "approval") return page("A callback", "<p>This address is answered by a program: send JSON to it.</p>");
  const who = approver === null ? input("Your name", "name", "required") : `<p>You answer as <strong>${escaped(approver)}</strong>.</p>`;
  return page(
    title,
    [
      detailsText(details),
      '<form method="post">',
      ...formFields(form).map(fieldInput),
      who,
      '<p><button name="decision" value="approve">Approve</button>',
      '<button name="decision" value="refuse" formnovalidate>Refuse</button></p>',
      `</form><p>Until ${escaped(new Date(untilMs).toUTCString())}.</p>`,
    ].join("\n"),
  );
}

export function answeredPage(isApproved: boolean): string {
  return page(isApproved ? "Approved" : "Refused", "<p>The answer is recorded. You can close this page.</p>");
}

/** People open an address again after they have answered: that is no failure of theirs. */
export function refusedPage({ code, message }: PlinthError): string {
  if (code === "AnswerRefused")
    return page(
      "This question is closed",
      "<p>It was answered, or its time is over. Nothing more is recorded, and an earlier answer stands.</p>",
    );
  if (code === "NotFound")
    return page(
      "There is no question here",
      "<p>The address is not whole, or not right. Open it as it was sent to you, or ask who sent it.</p>",
    );
  return page("Nothing was recorded", `<p>${escaped(message)}</p><p>Go back, correct it, and send it again.</p>`);
}

function page(title: string, body: string): string {
  const text = escaped(title);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text}</title>
<style>${STYLE}</style></head>
<body><h1>${text}</h1>
${body}
</body></html>
`;
}

function detailsText(details: OpenQuestion["details"]): string {
  if (details === null || (typeof details === "object" && Object.keys(details).length === 0)) return "";
  return `<pre>${escaped(typeof details === "string" ? details : JSON.stringify(details, null, 2))}</pre>`;
}

function fieldInput({ name, label, type, choices, isRequired }: FormField): string {
  const field = `field:${name}`;
  const required = isRequired ? "required" : "";
  switch (type) {
    case "text":
      return input(label, field, required);
    case "number":
      return input(label, field, `type="number" step="any" ${required}`);
    case "boolean":
      return `<label><input type="checkbox" name="${escaped(field)}"> ${escaped(label)}</label>`;
    case "longText":
      return `<label>${escaped(label)}<textarea name="${escaped(field)}" rows="4" ${required}></textarea></label>`;
    case "choice": {
      const options = choices.map((choice) => `<option>${escaped(choice)}</option>`).join("");
      return `<label>${escaped(label)}<select name="${escaped(field)}" ${required}><option value=""></option>${options}</select></label>`;
    }
  }
}

function input(label: string, name: string, attributes: string): string {
  return `<label>${escaped(label)}<input name="${escaped(name)}" ${attributes}></label>`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (char) => `&#${char.charCodeAt(0)};`);
}
