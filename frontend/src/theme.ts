import { createTheme, localStorageColorSchemeManager } from '@mantine/core';
import type { MantineColorsTuple } from '@mantine/core';

const indigo: MantineColorsTuple = [
  '#eceefe',
  '#dcdffd',
  '#bcc2fa',
  '#9aa2f6',
  '#7d86ef',
  '#5c63de',
  '#4f56d3',
  '#4249bd',
  '#373d9b',
  '#2c317a',
];

/** The key that public/theme.js reads before the first paint. */
export const colorScheme = localStorageColorSchemeManager({ key: 'studysmart-theme' });

const field = { size: 'md' } as const;

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: { light: 6, dark: 5 },
  colors: { accent: indigo },
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  headings: { fontFamily: 'inherit', fontWeight: '600' },
  defaultRadius: 'md',
  radius: { md: '10px', lg: '12px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  // By name: importing the components here would load the dialogs with the first screen.
  components: {
    Button: { defaultProps: { size: 'md' } },
    TextInput: { defaultProps: field },
    PasswordInput: { defaultProps: field },
    Textarea: { defaultProps: field },
    NativeSelect: { defaultProps: field },
    Modal: {
      defaultProps: {
        radius: 'lg',
        centered: true,
        padding: 'lg',
        transitionProps: { duration: 120 },
        overlayProps: { backgroundOpacity: 0.4 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
    },
  },
});
