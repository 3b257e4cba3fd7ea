// What every page of the console does: asks back before deeds, keeps moments current.
import { askBack } from "./parts/confirm.js";
import { keepMomentsCurrent } from "./parts/moments.js";

askBack();
keepMomentsCurrent();
