// Pages of people's own accounts: what can't be undone asks back first.
import { askBack } from "./parts/confirm.js";

askBack();
