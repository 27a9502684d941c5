/** Owns mail, by nodemailer, which is loaded only when the first mail is sent. */
import type SMTPTransport from "nodemailer/lib/smtp-transport";
import { oneLine } from "../base/one-line.ts";
import type { SmtpChannel } from "../model/channel.ts";
import type { Notice } from "../model/notice.ts";
import { withAdvice } from "../model/retry-advice.ts";
import type { Answer } from "./post.ts";
import { bodyOf, characters, PLAIN, titleOf } from "./words.ts";

const MAX_BODY = 64 * 1024;
const MAX_ANSWER = 200;

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly messageId: string;
  /** The mail that this mail follows, or null. A mail reader shows the two as one conversation. */
  readonly inReplyTo: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

const idOf = (key: string, host: string): string =>
  `<${key.replace(/[^A-Za-z0-9./-]/g, "-").replaceAll("/", ".")}@${host.replace(/[^A-Za-z0-9.-]/g, "-")}>`;

/** A further try has the same Message-ID, so that a mail that arrives twice is recognized. */
export function mailOf({ from, to }: SmtpChannel, notice: Notice): Mail {
  const { key, host, notification, batch } = notice;
  const isFollowing = notification !== null && notification !== "opened" && batch === null;
  return {
    from,
    to,
    subject: titleOf(notice),
    text: `${bodyOf(notice, { limit: MAX_BODY, size: characters, write: PLAIN })}\n`,
    messageId: isFollowing ? idOf(`${key}/${notification}/${notice.endedAt ?? notice.since}`, host) : idOf(key, host),
    inReplyTo: isFollowing ? idOf(key, host) : null,
    headers: {
      "auto-submitted": "auto-generated",
      ...(notice.severity === "critical" && notification !== "resolved" ? { importance: "high" } : {}),
    },
  };
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** A connection may be silent for `limitMs`. */
function settingsOf({ host, port, tls, user, password }: SmtpChannel, ownName: string, limitMs: number) {
  return {
    host,
    port,
    name: ownName,
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    // A mail server on the host itself has a certificate that nobody signed, and nobody stands in between.
    tls: { rejectUnauthorized: !LOOPBACK.test(host) },
    ...(user === null || password === null ? {} : { auth: { user, pass: password } }),
    connectionTimeout: limitMs,
    greetingTimeout: limitMs,
    socketTimeout: limitMs,
    dnsTimeout: limitMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  } satisfies SMTPTransport.Options;
}

const load = (): typeof import("nodemailer") => require("nodemailer");

export async function sendMail(
  channel: SmtpChannel,
  notice: Notice,
  signal: AbortSignal,
  limitMs: number,
): Promise<Answer> {
  const transport = load().createTransport(settingsOf(channel, notice.host, limitMs));
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const { inReplyTo, messageId, ...mail } = mailOf(channel, notice);
  const references = inReplyTo === null ? {} : { inReplyTo, references: inReplyTo };
  try {
    signal.throwIfAborted();
    const sent = transport.sendMail({ ...mail, to: [...mail.to], messageId, ...references });
    const { response, rejected } = await Promise.race([sent, aborted.promise]);
    sent.catch(() => {});
    const refused = rejected.length === 0 ? "" : `, and refused ${rejected.length} of ${mail.to.length} addresses`;
    return { answer: oneLine(`${response}${refused}`, MAX_ANSWER) };
  } catch (error) {
    signal.throwIfAborted();
    throw withAdvice(new Error(reasonOf(error)), { again: isWorthAnother(error), waitMs: 0 });
  } finally {
    signal.removeEventListener("abort", stop);
    transport.close();
  }
}

/** The answer of the server, or else the code. The message of an error may hold more than that. */
function reasonOf(error: unknown): string {
  const { code, response } = error as { readonly code?: unknown; readonly response?: unknown };
  if (typeof response === "string" && response !== "") return `it answered ${oneLine(response, MAX_ANSWER)}`;
  return typeof code === "string" ? code : oneLine(String((error as Error).message), MAX_ANSWER);
}

/** A 5xx is final. */
const isWorthAnother = (error: unknown): boolean => {
  const { responseCode } = error as { readonly responseCode?: unknown };
  return !(typeof responseCode === "number" && responseCode >= 500);
};
