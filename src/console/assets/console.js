// What every page has.

import "./form.js";
import "./idle.js";
import "./keys.js";
