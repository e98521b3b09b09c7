import type { Doc } from "./_generated/dataModel.js";

type Plan = Doc<"subscriptions">["plan"];

/** Price of one seat for one month, in cents. */
export const SEAT_PRICE_CENTS: Record<Plan, number> = { basic: 900, team: 1900, business: 4900 };

/** Teams of ten and more get a tenth off. */
export function volumeDiscountCents({ seats, amountCents }: { seats: number; amountCents: number }): number {
  return seats >= 10 ? Math.floor(amountCents / 10) : 0;
}

/** The lines of a subscription's invoice for one month. */
export function invoiceLines({ plan, seats }: Pick<Doc<"subscriptions">, "plan" | "seats">) {
  const amountCents = SEAT_PRICE_CENTS[plan] * seats;
  const discountCents = volumeDiscountCents({ seats, amountCents });
  const lines = [{ text: `${plan} plan, ${seats} seats`, amountCents }];
  if (discountCents > 0) lines.push({ text: "volume discount", amountCents: -discountCents });
  return lines;
}
