import {
  CartesianGrid,
  Line,
  ComposedChart,
  ReferenceLine,
  ResponsiveContainer,
  Scatter,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts';
import type { JSX } from 'react';

import type { ReliabilityBin } from '../api';
import { percent, plural } from '../lib/format';

const TICK = { fill: 'var(--text-muted)', fontSize: 12 } as const;
interface Dot {
  cx?: number | undefined;
  cy?: number | undefined;
  payload?: ReliabilityBin | undefined;
}

/** A point as large as the answers it stands for. */
function SizedDot({ cx = 0, cy = 0, payload }: Dot): JSX.Element {
  return <circle cx={cx} cy={cy} r={Math.min(14, 3 + Math.sqrt(payload?.n ?? 0))} fill="var(--accent)" fillOpacity={0.85} stroke="var(--surface)" strokeWidth={1.5} />;
}

function BinTip({ active, payload }: { active?: boolean; payload?: readonly { payload?: ReliabilityBin }[] }): JSX.Element | null {
  const bin = payload?.[0]?.payload;
  if (active !== true || bin === undefined) return null;
  return (
    <div style={{ padding: '8px 12px', border: '1px solid var(--line-strong)', borderRadius: 8, background: 'var(--surface)' }}>
      When we said about {percent(bin.forecast)}, you got {Math.round(bin.observed * bin.n)} of {plural(bin.n, 'answer')} right.
    </div>
  );
}

const TENTHS = [0, 0.25, 0.5, 0.75, 1];

/** Forecast across, what happened up; on the line the forecast was right. */
export function Reliability({ bins }: { bins: ReliabilityBin[] }): JSX.Element {
  return (
    <ResponsiveContainer width="100%" height={320}>
      <ComposedChart data={bins} margin={{ top: 12, right: 16, bottom: 20, left: 4 }} accessibilityLayer>
        <CartesianGrid stroke="var(--line)" />
        <XAxis
          type="number"
          dataKey="forecast"
          domain={[0, 1]}
          ticks={TENTHS}
          tickFormatter={(p: number) => `${p * 100} %`}
          tick={TICK}
          axisLine={false}
          tickLine={false}
          label={{ value: 'forecast', position: 'insideBottom', offset: -12, ...TICK }}
        />
        <YAxis
          type="number"
          domain={[0, 1]}
          ticks={TENTHS}
          tickFormatter={(p: number) => `${p * 100} %`}
          tick={TICK}
          axisLine={false}
          tickLine={false}
          width={48}
        />
        <ReferenceLine
          segment={[
            { x: 0, y: 0 },
            { x: 1, y: 1 },
          ]}
          stroke="var(--control)"
          strokeDasharray="4 4"
        />
        <Line dataKey="observed" stroke="var(--accent)" strokeOpacity={0.4} strokeWidth={1.5} dot={false} activeDot={false} isAnimationActive={false} />
        <Scatter dataKey="observed" shape={SizedDot} isAnimationActive={false} />
        <Tooltip content={BinTip} cursor={false} />
      </ComposedChart>
    </ResponsiveContainer>
  );
}
