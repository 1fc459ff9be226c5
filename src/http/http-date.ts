/**
 * Dates in header fields (RFC 9110 section 5.6.7). Pure: milliseconds since 1970 in and out; no Date, whose parser takes far more than HTTP allows.
 */

const DAYS = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_MS = 86_400_000;

const IMF = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC850 = /^[A-Z][a-z]{5,8}, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;

/** The moment that a field names, in any of the three formats that must be taken; null where it is none of them. */
export function parseHttpDate(text: string): number | null {
  const imf = IMF.exec(text);
  if (imf !== null) return moment(imf[3]!, imf[2]!, imf[1]!, imf[4]!, imf[5]!, imf[6]!);
  const old = RFC850.exec(text);
  // Two digits of a year: nobody sends dates beyond 2069 in this format.
  if (old !== null)
    return moment(`${old[3]! >= "70" ? "19" : "20"}${old[3]}`, old[2]!, old[1]!, old[4]!, old[5]!, old[6]!);
  const asctime = ASCTIME.exec(text);
  if (asctime === null) return null;
  return moment(asctime[6]!, asctime[1]!, asctime[2]!, asctime[3]!, asctime[4]!, asctime[5]!);
}

/** The moment as an IMF-fixdate; fractions of a second are dropped. */
export function httpDate(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const seconds = Math.floor((ms - days * DAY_MS) / 1000);
  const { year, month, day } = civil(days);
  const weekday = DAYS[((days % 7) + 7) % 7]!;
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(":");
  return `${weekday}, ${two(day)} ${MONTHS[month - 1]!} ${String(year).padStart(4, "0")} ${time} GMT`;
}

// Private

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

function moment(
  ...[year, name, day, hour, minute, second]: [string, string, string, string, string, string]
): number | null {
  const month = MONTHS.indexOf(name) + 1;
  // 60 is a leap second.
  if (month === 0 || Number(day) < 1 || Number(day) > 31 || hour > "23" || minute > "59" || second > "60") return null;
  const days = dayNumber(Number(year), month, Number(day));
  if (civil(days).day !== Number(day)) return null; // the 30th of February
  return days * DAY_MS + (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000;
}

/** Days since 1970 of a date of the Gregorian calendar; years begin in March here, so that the leap day is the last. */
function dayNumber(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civil(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}
