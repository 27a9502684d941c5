/** A program that imports ArkType and makes one type: what a schema costs at a start. */
import { type } from "arktype";

type({ "per_core?": "boolean" });
