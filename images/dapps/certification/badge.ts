/**
 * What an Open Badge says of a certificate: an OpenBadgeCredential (Open Badges 3.0, 1EdTech) over the W3C's
 * Verifiable Credentials 2.0, without issuer and proof, which are whose key signs it. Pure.
 */
import { dateOfMs } from "../../sdk/index.ts";
import type { Certificate, Course } from "./state.ts";

const CONTEXTS = [
  "https://www.w3.org/ns/credentials/v2",
  "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
] as const;
const SECONDS_PER_DAY = 86_400;

/** A moment as XML Schema's dateTimeStamp, which credentials take; "2026-11-22T12:00:00Z". */
export function stampOf(ms: number): string {
  const seconds = Math.floor(ms / 1000) % SECONDS_PER_DAY;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${dateOfMs(ms)}T${parts.map((part) => String(part).padStart(2, "0")).join(":")}Z`;
}

export interface BadgeSource {
  readonly person: string;
  readonly course: string;
  readonly about: Course;
  readonly certificate: Certificate;
}

/**
 * The achievement is named by its course and the certificate by the entry that signed it off. The person is
 * named by their id in the organisation, in the clear: there is nothing to look a hash up in.
 */
export function badgeOf({ person, course, about, certificate }: BadgeSource): Record<string, unknown> {
  const { id, sinceMs, untilMs } = certificate;
  return {
    "@context": [...CONTEXTS],
    id: `urn:gdo:certificate:${id}`,
    type: ["VerifiableCredential", "OpenBadgeCredential"],
    name: about.name,
    validFrom: stampOf(sinceMs),
    ...(untilMs === undefined ? {} : { validUntil: stampOf(untilMs) }),
    credentialSubject: {
      type: ["AchievementSubject"],
      identifier: [{ type: "IdentityObject", identityHash: person, identityType: "systemId", hashed: false }],
      achievement: {
        id: `urn:gdo:course:${course}`,
        type: ["Achievement"],
        achievementType: "Certificate",
        name: about.name,
        description: about.description,
        criteria: { narrative: about.criteria },
      },
    },
  };
}
