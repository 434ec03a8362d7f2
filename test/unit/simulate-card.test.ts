import test from "ava";
import { Card } from "../../lib/simulate/world/card.ts";

test("simulator: an image of a damaged card is looked at before it is used", (t) => {
  const card = Card.blank();
  card.open(() => undefined);
  card.end("all");
  t.false(card.copy().isSuspect);
  card.damage((bytes) => bytes.fill(255));
  const image = card.copy();
  t.true(image.isSuspect);
  t.notThrows(() => image.setFull(false), "its size cannot be read");
});
