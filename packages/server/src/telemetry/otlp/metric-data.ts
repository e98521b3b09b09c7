/** What the host counts as OpenTelemetry's data model has it, so that both forms always say the same. */
import { ValueType, type Attributes, type HrTime } from "@opentelemetry/api";
import { AggregationTemporality, DataPointType, type DataPoint, type Histogram, type MetricData } from "@opentelemetry/sdk-metrics";
import type { MetricReading } from "../metrics.ts";

/** Cumulative since `startTime`. */
export function metricData(reading: MetricReading, startTime: HrTime, endTime: HrTime): MetricData {
  const descriptor = { name: reading.name, description: reading.help, unit: reading.unit, valueType: ValueType.DOUBLE };
  const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  const time = { startTime, endTime };
  if (reading.type === "histogram")
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints: histograms(reading).map((each) => ({ ...time, ...each })) };
  const dataPoints = reading.values.map(({ value, labels }) => ({ ...time, attributes: attributesOf(labels), value }));
  return reading.type === "counter"
    ? { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
}

/** Prometheus counts a bucket with all below it, OpenTelemetry each by itself. */
function histograms({ values }: MetricReading): Pick<DataPoint<Histogram>, "attributes" | "value">[] {
  const series = new Map<string, { labels: Labels; below: [number, number][]; sum: number; count: number }>();
  for (const { part, value, labels } of values) {
    const { le, ...own } = labels;
    // Values of one series have their labels in the same order.
    const key = JSON.stringify(own);
    const one = series.get(key) ?? { labels: own, below: [], sum: 0, count: 0 };
    series.set(key, one);
    if (part === "_sum") one.sum = value;
    else if (part === "_count") one.count = value;
    else if (le !== undefined) one.below.push([le === "+Inf" ? Infinity : Number(le), value]);
  }
  return [...series.values()].map(({ labels, below, sum, count }) => {
    const cumulative = below.sort(([left], [right]) => left - right);
    const boundaries = cumulative.map(([boundary]) => boundary).filter((boundary) => boundary !== Infinity);
    const counts = cumulative.map(([, value], index) => value - (cumulative[index - 1]?.[1] ?? 0));
    return { attributes: attributesOf(labels), value: { buckets: { boundaries, counts }, sum, count } };
  });
}

type Labels = MetricReading["values"][number]["labels"];

function attributesOf(labels: Labels): Attributes {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [`plinth.${name}`, value]));
}
