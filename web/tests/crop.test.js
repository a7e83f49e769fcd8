import assert from "node:assert/strict";
import test from "node:test";
import { Crop } from "../views/people/crop.js";

test("the square is the middle of the picture at first", () => {
  assert.deepEqual(new Crop(400, 200).square(), { x: 100, y: 0, size: 200 });
});

test("the square never leaves the picture", () => {
  const crop = new Crop(400, 200);
  crop.move(10, 10);
  assert.deepEqual(crop.square(), { x: 0, y: 0, size: 200 });
  crop.zoomTo(2);
  crop.move(-10, -10);
  assert.deepEqual(crop.square(), { x: 300, y: 100, size: 100 });
  crop.zoomTo(0.1);
  assert.deepEqual(crop.square(), { x: 200, y: 0, size: 200 });
  crop.zoomTo(1000);
  assert.equal(crop.zoom, Crop.ZOOM_MAX);
});

test("what one points at stays where it is while zooming", () => {
  const crop = new Crop(1000, 1000);
  crop.zoomTo(2, { x: 0.25, y: 0.5 });
  const { x, y, size } = crop.square();
  assert.equal(x + size * 0.25, 250);
  assert.equal(y + size * 0.5, 500);
});
