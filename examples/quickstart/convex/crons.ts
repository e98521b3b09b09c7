import { cronJobs } from "convex/server";
import { internal } from "./_generated/api.js";

const crons = cronJobs();

crons.monthly("bill last month", { day: 1, hourUTC: 3, minuteUTC: 0 }, internal.invoices.billLastMonth, {});

export default crons;
